"""What the paper reports: Tables 1 to 4 of Cunningham et al. 2017 (doi:10.1101/157479).

Of one participant that was held out, and recorded. Where it has a dash, there is NaN.
"""

import math

CNN, KLT = "CNN", "KLT + ANN"

_NONE = math.nan

_ROWS = (
    # signal, task, method, MSE, NRMSE, RMSE (V, N m, deg), R2
    ("emg", "combined", CNN, 1.379, 0.319, 0.0009, 0.537),
    ("emg", "combined", KLT, 1.463, 0.299, 0.0009, 0.508),
    ("emg", "isometric", CNN, 0.775, 0.308, 0.0007, 0.522),
    ("emg", "isometric", KLT, 0.778, 0.307, 0.0007, 0.520),
    ("emg", "passive", CNN, 0.014, _NONE, 0.0001, _NONE),
    ("emg", "passive", KLT, 0.014, _NONE, 0.0001, _NONE),
    ("torque", "combined", CNN, 0.709, 0.302, 0.922, 0.513),
    ("torque", "combined", KLT, 0.679, 0.317, 0.902, 0.533),
    ("torque", "isometric", CNN, 0.086, 0.377, 0.321, 0.612),
    ("torque", "isometric", KLT, 0.089, 0.365, 0.328, 0.597),
    ("torque", "passive", CNN, 0.055, 0.277, 0.256, 0.477),
    ("torque", "passive", KLT, 0.054, 0.278, 0.256, 0.480),
    ("angle", "combined", CNN, 0.463, 0.457, 0.139, 0.705),
    ("angle", "combined", KLT, 0.443, 0.469, 0.136, 0.718),
    ("angle", "isometric", CNN, 0.011, _NONE, 0.022, _NONE),
    ("angle", "isometric", KLT, 0.022, _NONE, 0.030, _NONE),
    ("angle", "passive", CNN, 0.131, 0.709, 0.074, 0.915),
    ("angle", "passive", KLT, 0.138, 0.702, 0.076, 0.911),
)

MEASURES = ("mse", "nrmse", "rmse", "r2")

REPORTED: dict[tuple[str, str, str], dict[str, float]] = {
    (method, task, signal): dict(zip(MEASURES, values, strict=True))
    for signal, task, method, *values in _ROWS
}
"""Tables 2 to 4, of test: by method, task and signal."""

TEST_MSE = {CNN: 0.403, KLT: 0.412}
"""Table 1, of the models that were best in validation. That of the CNN is the mean of its nine MSEs
in Tables 2 to 4; of KLT these have a mean of 0.409."""


def reported(method: str, task: str, signal: str) -> dict[str, float]:
    """Return what the paper reports of a method; nothing of what it does not report.

    Parameters
    ----------
    method : str
        As ``musim train state --method`` has it: ``cnn`` or ``klt``.
    task, signal : str
    """
    return REPORTED.get((PUBLISHED.get(method, ""), task, signal), {})


PUBLISHED = {"cnn": CNN, "klt": KLT}
"""The paper's methods, by their names here."""

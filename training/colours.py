"""Colours of figures, pictures and pages: of units, of what is no unit, and of velocity."""

COLOURS = (
    "#2f60b2", "#f27700", "#8a0509", "#219a2c", "#bd7bf3", "#0e5715", "#1bb0ce", "#d0457c",
    "#6b1387", "#835a0e", "#9ba65b", "#8775a9", "#8f4478", "#0d4e6d", "#c88a9c", "#1c7268",
    "#b76935", "#267ee8", "#0d9298", "#b3260e", "#2c34a6", "#604107", "#227702", "#7541b8",
    "#7999f5", "#15bd63", "#653552", "#7a8750", "#b253bc", "#f96677",
)  # fmt: skip
"""Colours of units, in order. Each is the one farthest from all those before it in OKLab, among
colours neither pale nor grey, so that they print and neighbours in number differ most."""

GREY = "#404040"
"""Of what is no unit."""

VELOCITY_COLOURS = "RdBu_r"
"""Matplotlib's name of the colours of velocity: red is towards the transducer."""

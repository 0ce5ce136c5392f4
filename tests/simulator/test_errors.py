import pickle

from musim.simulator import FailureError, InputError, MusimError


def test_wrong_input_exits_with_2_and_failed_work_with_1():
    assert (InputError.exit_code, FailureError.exit_code) == (2, 1)


def test_errors_are_musims_own_and_of_the_kind_that_python_uses():
    assert set(InputError.__mro__) >= {MusimError, ValueError}
    assert set(FailureError.__mro__) >= {MusimError, RuntimeError}


def test_what_names_in_foreign_files_hold_breaks_no_line():
    error = InputError("a.mat: x\x1c\x85y\u2028: \x1b[31mfound 3 \N{MICRO SIGN}m")
    assert str(error) == "a.mat: x y :  [31mfound 3 \N{MICRO SIGN}m"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)

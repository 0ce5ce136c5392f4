from musim.simulator import FailureError, InputError, MusimError


def test_wrong_input_exits_with_2_and_failed_work_with_1():
    assert (InputError.exit_code, FailureError.exit_code) == (2, 1)


def test_errors_are_musims_own_and_of_the_kind_that_python_uses():
    assert set(InputError.__mro__) >= {MusimError, ValueError}
    assert set(FailureError.__mro__) >= {MusimError, RuntimeError}

"""Failures that a person can mend; each text is one sentence that says what to do."""


class UserError(RuntimeError):
    """The work failed: a file is broken, a disk is full, a topic is missing (exit status 1)."""


class CallError(ValueError):
    """The call was wrong: an unknown option value, a path that does not fit (exit status 2)."""

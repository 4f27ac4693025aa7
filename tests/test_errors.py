"""Problems of several checks come together."""

from __future__ import annotations

import pytest

from bptrain.errors import DataError, Problem, UsageError, collect_problems, raise_problems


def test_problems_of_several_checks_come_together() -> None:
    problems: list[Problem] = []
    for code in ("BP210", "BP211"):
        with collect_problems(problems):
            raise DataError(Problem(code, "wrong"))
    with collect_problems(problems):
        pass
    assert [problem.code for problem in problems] == ["BP210", "BP211"]
    with pytest.raises(DataError, match="BP210: wrong; BP211: wrong"):
        raise_problems(problems)
    raise_problems([])


def test_errors_of_another_kind_are_not_collected() -> None:
    problems: list[Problem] = []
    with pytest.raises(UsageError, match="BP101"), collect_problems(problems):
        raise UsageError(Problem("BP101", "wrong"))
    with collect_problems(problems, UsageError):
        raise UsageError(Problem("BP101", "wrong"))
    assert len(problems) == 1
    with pytest.raises(UsageError, match="BP101"):
        raise_problems(problems, UsageError)

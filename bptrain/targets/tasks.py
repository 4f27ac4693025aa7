"""The table of tasks.

A new task is a folder beside this file and its object in `TASKS`; its options join `TaskOptions` in target_options.py.
See `task.py`.
"""

from __future__ import annotations

from typing import cast

from bptrain.targets.classification.task import BinaryTask, MulticlassTask
from bptrain.targets.regression.task import RegressionTask
from bptrain.targets.target_options import TaskOptions
from bptrain.targets.task import TargetState, Task

# Whoever looks a task up passes options or a state of the same task, which the types of a table cannot say.
TASKS: dict[str, Task[TaskOptions, TargetState]] = {
    task.name: cast("Task[TaskOptions, TargetState]", task)
    for task in (BinaryTask(), MulticlassTask(), RegressionTask())
}

# What the values of a column mean where the config names no task.
OF_NUMBERS, OF_TWO_LABELS, OF_LABELS = RegressionTask.name, BinaryTask.name, MulticlassTask.name

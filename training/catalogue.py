"""The tasks that come with musim: to import this registers them all."""

from .identification.networks.detection_task import DetectTask
from .identification.networks.twitch_task import TwitchTask
from .paired.paired_task import PairedTask
from .runs.task import TASKS
from .sections.diffusion.diffuse_task import DiffuseTask
from .sections.segmentation.segment_task import SegmentTask
from .state.state_task import StateTask
from .translation.translation_task import TranslateTask

__all__ = [
    "TASKS",
    "DetectTask",
    "DiffuseTask",
    "PairedTask",
    "SegmentTask",
    "StateTask",
    "TranslateTask",
    "TwitchTask",
]

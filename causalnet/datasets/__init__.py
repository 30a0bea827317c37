"""Named data with their truth: a card each in the repository's ``datasets/``, simulators, and files to be found."""

from __future__ import annotations

from .catalogue import cards, draw, load_dataset, names
from .dataset import Dataset
from .files import MissingFile, find_file

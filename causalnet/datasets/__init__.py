"""Named data with their truth: a card each in the repository's ``datasets/``, simulators, and files to be found."""

from __future__ import annotations

from .catalogue import cards, draw, load_dataset, names
from .categorical import categorical_table
from .dataset import Dataset
from .files import MissingFile, find_file
from .mixed import hide_cells, mixed_table
from .sem import sem_table

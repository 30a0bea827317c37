"""``python -m causalnet.cli``."""

from . import main

main()

"""The road networks of RESCO (Ault and Sharon, NeurIPS Datasets 2021), where the package sumo-rl lies beside; none is shipped here.

Only the network and demand files inside that package are read. Their licences differ by scenario.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ....base.checks import known
from ....errors import NotInstalled


def resco(name: str) -> Path:
    """The ``.sumocfg`` of a RESCO scenario, such as "grid4x4" or "cologne8"."""
    home = _home()
    if home is None:
        raise NotInstalled(
            f"the scenario {name!r} lies in the package sumo-rl: pip install --no-deps sumo-rl (only its network files are read)"
        )
    known(name, resco_scenarios(), f"there is no RESCO scenario {name!r}")
    return home / name / f"{name}.sumocfg"


def resco_scenarios() -> tuple[str, ...]:
    """The scenarios that are here; none where sumo-rl is not."""
    home = _home()
    return () if home is None else tuple(sorted(path.stem for path in home.glob("*/*.sumocfg")))


def _home() -> Path | None:
    spec = importlib.util.find_spec("sumo_rl")  # finds the folder and imports nothing
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    homes = (Path(place) / "nets" / "RESCO" for place in places)
    return next((home for home in homes if home.is_dir()), None)

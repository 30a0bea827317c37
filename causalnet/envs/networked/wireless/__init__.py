"""Wireless grids: users with packets share access points, and collide."""

from __future__ import annotations

from .env import Wireless, gsac_grid, lin_grid, utility_grid, wireless_network
from .masks import action_places, true_masks
from .policies import collision_free_ceiling, dedicated_access_points, localized_aloha

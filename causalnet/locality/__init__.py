"""How far agents must look: certificates that a policy is local, bounds on what truncation costs, and advice on kappa."""

from __future__ import annotations

from .bounds import Locality, analyse, decay_bound, influence, kappa_by_agent, smallest_kappa, truncation_error
from .certify import certificate, certified_mixture, certified_temperature, norm_tests
from .estimate import EstimatedSensitivities, estimate_sensitivities
from .policy import LocalPolicy
from .reach import Reach
from .sensitivity import Sensitivities, environment, exact_interdependence, interdependence, policy_sensitivity
from .spectral import Radius, spectral_radius
from .verdict import Certificate

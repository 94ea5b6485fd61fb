# SPDX-License-Identifier: Apache-2.0
"""Loaded by `make test-long`: properties are tried with many more examples."""

from hypothesis import HealthCheck, settings

settings.register_profile("long", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("long")

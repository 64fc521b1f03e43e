"""Figures of this machine, each beside a floor or limit measured in the same run. Only `gate bench` imports it."""

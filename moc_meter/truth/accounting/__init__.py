# SPDX-License-Identifier: Apache-2.0
"""Usage as accounts define it: what came of samples, cut, and whose it is."""

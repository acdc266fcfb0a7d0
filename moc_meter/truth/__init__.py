# SPDX-License-Identifier: Apache-2.0
"""A made-up research cloud of which every figure is known beforehand.

It shares nothing with the service: it imports none of its modules and nothing
beyond Python's own library, and computes with fractions over plain lists. So
where the two agree, they agree because both are right.
"""

# SPDX-License-Identifier: Apache-2.0
"""Packaging; everything is said in setup.cfg."""

import os
import pathlib

import setuptools

_HERE = pathlib.Path(__file__).parent

# An unpacked archive has no tags to read a version from.
if not any((_HERE / name).exists() for name in ('.git', 'PKG-INFO')):
    os.environ.setdefault('PBR_VERSION', '0.0.1')

setuptools.setup(setup_requires=['pbr>=6.1'], pbr=True)

# SPDX-License-Identifier: Apache-2.0
"""moc-meter truth: a made-up cloud of which every figure is known.

It is a research cloud, the same everywhere for the same seed: it is made,
sent to a service, and what the service says of it is checked. Each command is
a module: TITLE, ABOUT and EPILOG say what it does, arguments() what it may be
told, and run() does it and returns the exit status.
"""

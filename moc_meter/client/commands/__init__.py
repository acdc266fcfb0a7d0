# SPDX-License-Identifier: Apache-2.0
"""The commands of moc-meter and of "openstack metering": a noun a module."""

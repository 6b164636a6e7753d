"""Ports for servers that must be told theirs before they start."""

from __future__ import annotations

from deploy.local.ports import free_port as free_port

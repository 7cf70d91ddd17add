"""Webhooks: other systems are told by signed requests (Standard Webhooks), from an outbox."""

from asterisk_warm.webhooks.endpoint import Endpoint
from asterisk_warm.webhooks.lane import Failing
from asterisk_warm.webhooks.webhooks import Webhooks

__all__ = ["Endpoint", "Failing", "Webhooks"]

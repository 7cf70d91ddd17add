"""What other systems know of a lead: `http` asks, `fields` reads what they answer."""

from asterisk_warm.crm.fields import Fields
from asterisk_warm.crm.http import HttpCrm

__all__ = ["Fields", "HttpCrm"]

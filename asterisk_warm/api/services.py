"""The services that the API stands in front of."""

from __future__ import annotations

from dataclasses import dataclass

from asterisk_warm.api.ports import Deliveries
from asterisk_warm.engine.agents.service import AgentService
from asterisk_warm.engine.leads.service import LeadService
from asterisk_warm.engine.qualifying.scripts import ScriptService
from asterisk_warm.engine.qualifying.service import QualificationService
from asterisk_warm.engine.service import HandoffService


@dataclass(frozen=True, slots=True)
class Services:
    handoffs: HandoffService
    agents: AgentService
    leads: LeadService
    scripts: ScriptService
    qualifications: QualificationService
    deliveries: Deliveries

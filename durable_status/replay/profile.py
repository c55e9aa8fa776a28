"""What differs between the versions of the durable extension that the engine imitates.

One value carries every difference; no other switch does. `PROFILE_2_13` is extension 2.13.7, the line the recordings
were made on; `PROFILE_3` is 3.x, which most apps get today through extension bundle ``[4.*, 5.0.0)``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One line of the durable extension. Members that are not about replay belong to the HTTP management API."""

    name: str
    extension_version: str
    """The release that is imitated, as HTTP calls name it in their User-Agent."""
    upper_schema_version: int
    """``upperSchemaVersionNew`` of the trigger: the newest replay schema the extension takes."""
    writes_newer_members: bool
    """Trigger ``sourceInstanceId``; ``GenerateNewTrace`` and the child's id in events."""
    fails_unknown_functions: bool
    """Whether calling a function that is not registered fails the orchestration (else it waits for ever)."""
    doubles_blank_in_activity_failures: bool
    """Whether two blanks stand before the error in the reason of a failed activity."""
    takes_last_failure_label: bool
    """Whether the last ``$OutOfProcData$`` label of a failure text counts (else the first)."""
    refuses_live_duplicates_with: int
    """HTTP status for starting an instance that has not ended."""
    purges_live_instances: bool
    """Whether purging one instance by id works whatever its runtime status."""
    checks_starts: bool
    """Whether unknown orchestrators and unusual instance ids are refused when an instance is started."""
    knows_disabled_functions: bool
    """Whether calling a function that is switched off fails at once (else it is as good as not registered)."""
    checks_pages: bool
    """Whether a page size of 0 and a broken continuation token are refused when instances are listed."""
    rewrites_inputs: bool
    """Whether the body of a start is parsed and written again (else stored as sent)."""
    dashes_in_execution_ids: bool
    """Whether the execution id of an instance started over HTTP is a GUID with dashes."""
    decodes_paths_first: bool
    """Whether management paths are percent-decoded before they are matched."""
    has_newer_control_answers: bool
    """Whether a wrong rewind gets 412 and a wrong restart 409, and their texts are those of 3.x."""
    writes_short_wait_errors: bool
    """Whether start-and-wait refuses its times with a message only."""
    takes_versions_and_traces: bool
    """Whether a start takes the query parameter ``version`` and the trace headers."""
    takes_forwarded_hosts: bool
    """Whether host.json's ``useForwardedHost`` counts."""
    refuses_hub_names_with: int
    """HTTP status for a ``taskHub`` parameter that cannot be a hub's name."""


PROFILE_2_13 = Profile(
    name="2.13",
    extension_version="2.13.7",
    upper_schema_version=2,
    writes_newer_members=False,
    fails_unknown_functions=False,
    doubles_blank_in_activity_failures=True,
    takes_last_failure_label=False,
    refuses_live_duplicates_with=500,
    purges_live_instances=True,
    checks_starts=True,
    knows_disabled_functions=False,
    checks_pages=True,
    rewrites_inputs=True,
    dashes_in_execution_ids=False,
    decodes_paths_first=False,
    has_newer_control_answers=False,
    writes_short_wait_errors=False,
    takes_versions_and_traces=False,
    takes_forwarded_hosts=False,
    refuses_hub_names_with=400,
)
PROFILE_3 = Profile(
    name="3",
    extension_version="3.19.0",
    upper_schema_version=3,
    writes_newer_members=True,
    fails_unknown_functions=True,
    doubles_blank_in_activity_failures=False,
    takes_last_failure_label=True,
    refuses_live_duplicates_with=409,
    purges_live_instances=False,
    checks_starts=False,
    knows_disabled_functions=True,
    checks_pages=False,
    rewrites_inputs=False,
    dashes_in_execution_ids=True,
    decodes_paths_first=True,
    has_newer_control_answers=True,
    writes_short_wait_errors=True,
    takes_versions_and_traces=True,
    takes_forwarded_hosts=True,
    refuses_hub_names_with=500,
)

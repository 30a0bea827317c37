"""What programs and people call the columns of an event log, and the words by which a row says raised or cleared.

Compared without case, accents, spaces and punctuation (:func:`spelt`): AlarmName, Alarm Name and alarm-name are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

# Column names under which other tools write the same thing; a file with two of them is refused, not guessed at.
ALIASES: Mapping[str, tuple[str, ...]] = {
    "event": ("event", "event_type", "alarm_id", "alarm_type", "alarm", "type"),
    "timestamp": ("timestamp", "start_timestamp", "start_time", "time", "start"),
    "device": ("device", "device_id", "node", "node_id", "ne"),
}
VENDORS: Mapping[str, tuple[str, ...]] = {  # looked for where none of those above is there
    "event": (
        "event_name", "event_id", "alarm_name", "alarm_code", "alarm_title", "alarm_text", "specific_problem",
        "probable_cause", "fault", "fault_name", "fault_code", "event_code", "trouble", "problem", "mnemonic", "signature",
        "short_description", "message_type", "msg_type", "trap", "trap_name", "trigger", "trigger_name", "check_name",
        "alert", "alert_name", "labels_alertname", "alert_message", "alarm_code_name", "alarm_message", "metric_name",
        "rule_name", "concept_name", "告警名称", "告警标题", "告警", "告警码", "告警内容", "事件名称", "事件类型", "故障名称", "meldung",
        "störung", "ereignis", "meldetext", "alarme", "événement", "défaut", "panne", "nom_alarme", "alarma", "evento", "falla",
        "allarme", "storing", "gebeurtenis", "авария", "событие", "アラーム名", "アラーム", "イベント", "경보명", "경보", "알람명",
    ),
    "timestamp": (
        "first_occurrence", "occurrence_time", "occur_time", "occurred_on", "occurred_at", "event_time", "alarm_time",
        "raised_at", "raised_time", "raise_time", "datetime", "date_time", "ts", "created_at", "first_seen", "log_time",
        "event_timestamp", "occurred_on_nt", "last_occurred_nt", "first_occurred_nt", "last_occurred", "first_occurred", "starts_at",
        "@timestamp", "opened", "opened_at", "occurred", "last_occurrence", "time_stamp", "event_date", "alarm_raised_time",
        "first_time_detected", "time_of_event", "time_created", "realtime_timestamp", "time_unix_nano", "first_timestamp",
        "date_and_time", "time_timestamp", "entry_time", "created_on", "发生时间", "告警发生时间", "首次发生时间", "告警时间",
        "产生时间", "开始时间", "时间", "beginn", "startzeit", "zeitstempel", "zeitpunkt", "uhrzeit", "zeit", "début", "horodatage",
        "heure", "date_heure", "date_début", "inicio", "fecha_hora", "fecha_y_hora", "hora", "fecha_inicio", "data_hora", "inizio",
        "data_ora", "starttijd", "tijdstip", "время", "время_начала", "дата_время", "発生日時", "発生時刻", "日時", "발생시간",
        "발생일시",
    ),
    "device": (
        "device_name", "ne_name", "ne_id", "alarm_source", "managed_object", "network_element", "host", "hostname",
        "host_name", "equipment", "site", "site_id", "node_name", "source", "source_id", "machine", "mo_name", "managed_element",
        "distinguished_name", "instance", "configuration_item", "ci", "network_device", "object_name", "entity",
        "labels_instance", "machine_name", "involved_object_name", "org_resource", "cmdb_ci", "managed_object_instance", "object_of_reference", "me", "site_name", "网元", "网元名称",
        "设备", "设备名称", "告警源", "主机", "基站", "gerät", "standort", "anlage", "knoten", "netzelement", "équipement", "appareil",
        "noeud", "equipo", "dispositivo", "nodo", "equipamento", "apparaat", "устройство", "узел", "оборудование", "装置名",
        "機器名", "ホスト名", "장비명", "장비",
    ),
}  # fmt: skip
WEAK = ("source", "source_id", "instance", "site", "entity", "object_name")  # of the device, where no other is there
BARE = ("name", "description", "message", "summary", "title")  # of the event, beside a column of ends
DAYS = ("date", "day", "datum", "fecha", "日期", "data", "дата")  # beside a column of hours
ENDS, STATES, RAISED, CLEARED = (
    ("end_timestamp", "end_time", "end", "cleared_on", "cleared_at", "clear_time", "cleared_time", "clearance_time", "ends_at",
     "cleared_on_nt", "resolved_at", "recovery_time", "cancel_time", "cease_time", "ceased_at", "last_time_cleared",
     "restore_time", "recover_time", "closed_at", "清除时间", "告警清除时间", "恢复时间", "结束时间", "ende", "endzeit", "behoben_am",
     "fin", "date_fin", "fim", "fine", "eindtijd", "время_окончания", "復旧日時", "解除日時", "해제시간", "복구시간"),
    ("state", "status", "active", "is_active", "action", "alarm_state", "alarm_status", "event_state", "phase", "notification", "severity",
     "perceived_severity", "alarm_severity", "告警状态", "状态", "zustand", "état", "estado", "stato", "состояние"),
    frozenset(
        ("raised", "raise", "set", "active", "activated", "open", "opened", "start", "started", "begin", "on", "new", "problem",
         "firing", "triggered", "alarm", "down", "fault", "failed", "alerting", "kommt", "gekommen", "aktiv", "actif", "activa",
         "产生", "发生", "活动", "未清除", "未恢复", "発生中")),
    frozenset(
        ("cleared", "clear", "reset", "inactive", "deactivated", "ceased", "cease", "closed", "close", "end", "ended", "stop",
         "stopped", "off", "resolved", "recovered", "recovery", "ok", "normal", "up", "geht", "gegangen", "behoben", "inactif",
         "terminé", "borrada", "清除", "已清除", "恢复", "已恢复")),
)  # fmt: skip
BETWEEN = frozenset(  # of a row that neither raises nor clears
    [
        "acknowledged",
        "acked",
        "ack",
        "acknowledge",
        "unacknowledged",
        "unack",
        "updated",
        "update",
        "changed",
        "change",
        "modified",
        "escalated",
        "suppressed",
        "quittiert",
        "确认",
        "已确认",
    ]
)
SEVERITIES = frozenset(
    ("critical", "major", "minor", "warning", "indeterminate", "info", "informational", "high", "low")
)


@lru_cache(maxsize=1 << 15)
def spelt(name: str) -> str:
    """A name without case, accents, spaces and punctuation."""
    if not name.isascii():
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "", name).lower()


def called(columns: Iterable[Any], spellings: Sequence[str]) -> list[str]:
    """The columns that one of the spellings names."""
    known = {spelt(spelling) for spelling in spellings}
    return [str(column) for column in columns if spelt(str(column)) in known]


def first_called(columns: Iterable[Any], spellings: Sequence[str]) -> str | None:
    """The column that the foremost of the spellings names; None where none does."""
    order = [spelt(spelling) for spelling in spellings]
    return min(called(columns, spellings), key=lambda column: order.index(spelt(column)), default=None)

# The 31 rules of the bench pack, for OPA.
package bench

arguments := input.resource.properties if input.resource.type == "tool"

arguments := input.action.properties if input.resource.type != "tool"

limit := {"HKD": 80000, "SGD": 15000, "GBP": 8000, "USD": 10000}

maximum := {"HK": ["HKD", 800000], "SG": ["SGD", 150000], "UK": ["GBP", 80000]}

zones := {"hk-prod", "sg-prod", "uk-prod"}

sure if input.context.confidence >= 0.85

open_destination if input.context.destination in {"api.partner.example", "sftp.bank.example"}

open_destination if endswith(input.context.destination, ".internal.example")

deny contains "DENIED" if input.action.name in {"db.drop", "user.delete", "key.export", "backup.erase"}

deny contains "DENIED" if startswith(input.action.name, "admin.")

deny contains "TOOL" if {
	input.resource.type == "tool"
	input.resource.id in {"shell", "eval", "raw_sql"}
}

deny contains "SUSPENDED" if startswith(input.subject.id, "suspended-")

deny contains concat("_", [input.context.jurisdiction, "MAXIMUM"]) if {
	input.action.name == "pay"
	[currency, most] := maximum[input.context.jurisdiction]
	arguments.currency == currency
	arguments.amount > most
}

deny contains "ZONE" if {
	input.action.name == "egress"
	not input.context.zone in zones
}

deny contains "DESTINATION" if {
	input.action.name == "egress"
	not open_destination
}

deny contains "SQL_PRODUCTION" if {
	input.resource.type == "tool"
	input.resource.id == "sql_write"
	endswith(input.context.zone, "-prod")
}

deny contains "SECRETS" if regex.match(`^(prod|stage)/secrets/.+$`, input.resource.id)

deny contains "ABROAD" if {
	input.subject.type == "user"
	"contractor" in input.subject.properties.roles
	input.context.zone == "abroad"
}

approve contains concat("_", [arguments.currency, "LIMIT"]) if {
	input.action.name == "pay"
	arguments.amount > limit[arguments.currency]
}

approve contains "LOW_CONFIDENCE" if {
	input.subject.type == "agent"
	not sure
}

approve contains "VOLUME" if {
	input.action.name == "egress"
	arguments.amount > 10000
}

approve contains "AUTO" if {
	input.action.name == "pay"
	input.context.mode == "auto"
	arguments.amount > 5000
}

approve contains "SQL_WRITE" if {
	input.resource.type == "tool"
	input.resource.id == "sql_write"
	input.context.mode == "auto"
}

approve contains "PERSONAL" if regex.match(`^(crm|hr)/[a-z]+/(ssn|passport|iban)[0-9]*$`, input.resource.id)

allow contains "SMALL" if {
	input.action.name == "pay"
	arguments.amount <= 1000
}

allow contains "ALLOWED" if input.action.name in {"doc.read", "doc.list", "ticket.read", "ticket.comment", "search"}

allow contains "ALLOWED_TOOL" if {
	input.resource.type == "tool"
	input.resource.id in {"calendar", "weather", "crm_read"}
}

allow contains "SERVICE" if input.subject.type == "service"

allow contains "CONFIDENT" if {
	input.subject.type == "agent"
	sure
}

allow contains "INSIDE" if {
	input.action.name == "egress"
	input.context.zone in zones
	open_destination
}

allow contains "DRAFT" if {
	input.subject.type == "agent"
	input.context.mode == "draft"
}

allow contains "SQL_READ" if {
	input.resource.type == "tool"
	input.resource.id == "sql_read"
}

allow contains "PUBLIC" if regex.match(`^docs/public/[a-z0-9/_-]+$`, input.resource.id)

allow contains "AUDITOR" if {
	input.subject.type == "user"
	"auditor" in input.subject.properties.roles
	input.action.name == "doc.read"
}

obligations contains "draft" if {
	input.action.name == "send_mail"
	input.context.mode == "auto"
}

default answer := {"outcome": "deny", "reasons": ["no_rule_allows"]}

answer := {"outcome": "deny", "reasons": deny} if {
	count(deny) > 0
} else := {"outcome": "require_approval", "reasons": approve} if {
	count(approve) > 0
} else := {"outcome": "allow", "reasons": allow, "obligations": obligations} if {
	count(allow) > 0
}

package dev.countersign.server.decision;

/**
 * One approval that a rule asks for, as an access request and the approval that comes of it name it. An approval answers for
 * exactly what it names: a rule, row or template that was changed meanwhile asks again.
 *
 * @param pack the rule's pack, {@code policies} for a row, {@code countersign} for the tenant's default
 * @param rule the rule's name, a row's id
 * @param code the reason code
 * @param template the template's name
 * @param digest the SHA-256 of all that the template asks for, in hex
 */
public record Asked(String pack, String rule, String code, String template, String digest) {}

package dev.countersign.server.events;

/**
 * An event of a tenant.
 *
 * @param number its place in the order of all events: a later one has a higher number, and becomes visible later
 * @param type the CloudEvents type
 * @param body the CloudEvent, in JSON on one line
 */
public record Event(long number, String type, String body) {}

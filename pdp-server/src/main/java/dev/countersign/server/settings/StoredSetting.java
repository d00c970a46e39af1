package dev.countersign.server.settings;

import java.time.Instant;

/**
 * A value that a tenant set, as it stands in the table.
 *
 * @param tenant whose it is
 * @param name the setting's name
 * @param json the value, as JSON
 * @param version grows with every change of this setting of this tenant, and is never given twice
 * @param at when it was set
 * @param by the visible prefix of the key that set it
 */
public record StoredSetting(String tenant, String name, String json, long version, Instant at, String by) {}

package dev.countersign.server.settings;

import java.util.Map;

/**
 * What one tenant has set.
 *
 * @param stored everything, as it stands in the table, by name
 * @param values what of it judges, typed as the packs declare it, by name
 * @param unused why the rest of it does not, by name
 */
public record TenantSettings(
        Map<String, StoredSetting> stored, Map<String, Object> values, Map<String, String> unused) {
    /** Of a tenant that has set nothing. */
    public static final TenantSettings NONE = new TenantSettings(Map.of(), Map.of(), Map.of());
}

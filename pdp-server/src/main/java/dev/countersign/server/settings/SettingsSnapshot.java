package dev.countersign.server.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Setting;
import dev.countersign.server.decision.PolicySnapshot;
import dev.countersign.server.decision.TenantPolicy;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What all tenants have set at one moment, and the policies that judge by it. Immutable. A value that no active pack
 * declares, or whose type no longer fits, is left out of the judging and kept here.
 */
public final class SettingsSnapshot {
    private static final Logger LOG = LoggerFactory.getLogger(SettingsSnapshot.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<String, String> env;
    private final Map<String, Setting> declared;
    private final PolicySnapshot policies;
    private final Map<String, TenantSettings> tenants;

    private SettingsSnapshot(
            Map<String, String> env,
            Map<String, Setting> declared,
            PolicySnapshot policies,
            Map<String, TenantSettings> tenants) {
        this.env = env;
        this.declared = declared;
        this.policies = policies;
        this.tenants = tenants;
    }

    /**
     * One in which no tenant has set anything.
     *
     * @throws IllegalArgumentException if a pack declares a name that is the server's own
     */
    public static SettingsSnapshot none(PolicySnapshot policies, Map<String, String> env) {
        var declared = new TreeMap<>(policies.base().settings());
        Setting own = Setting.of(TenantPolicy.REDACTED);
        Setting taken = declared.put(own.name(), own);
        if (taken != null) {
            throw new IllegalArgumentException(
                    "the pack `" + taken.declarations().get(0).pack() + "` declares `" + own.name()
                            + "`, which is the server's own setting: rename it");
        }
        return new SettingsSnapshot(env, Collections.unmodifiableMap(declared), policies, Map.of());
    }

    /** This one with other settings. Tenants of whom nothing changed keep what judges them. */
    public SettingsSnapshot with(List<StoredSetting> all) {
        var rows = new HashMap<String, Map<String, StoredSetting>>();
        all.forEach(row ->
                rows.computeIfAbsent(row.tenant(), tenant -> new HashMap<>()).put(row.name(), row));
        RuleBase base = policies.base();
        var settings = new HashMap<String, TenantSettings>();
        var own = new HashMap<String, TenantPolicy>();
        rows.forEach((tenant, stored) -> {
            TenantSettings now = tenant(tenant);
            TenantPolicy judging = policies.own().get(tenant);
            if (judging == null || !now.stored().equals(stored)) {
                now = read(now, stored);
                judging = TenantPolicy.of(base, env, now.values());
            }
            settings.put(tenant, now);
            own.put(tenant, judging);
        });
        return new SettingsSnapshot(
                env, declared, new PolicySnapshot(base, policies.defaults(), Map.copyOf(own)), Map.copyOf(settings));
    }

    private TenantSettings read(TenantSettings before, Map<String, StoredSetting> stored) {
        var values = new HashMap<String, Object>();
        var unused = new HashMap<String, String>();
        stored.forEach((name, row) -> {
            Setting setting = declared.get(name);
            try {
                if (setting == null) {
                    throw new IllegalArgumentException("no active pack declares `" + name + "`");
                }
                values.put(name, setting.read(JSON.readTree(row.json())));
            } catch (JsonProcessingException e) {
                unused.put(name, "`" + name + "` is not stored as JSON");
            } catch (IllegalArgumentException e) {
                unused.put(name, String.valueOf(e.getMessage()));
            }
            if (unused.containsKey(name) && !row.equals(before.stored().get(name))) {
                // The tenant may read the whole reason; it can hold the value, which is nobody else's business.
                LOG.warn(
                        "the setting `{}` of the tenant `{}` is not used: {}",
                        name,
                        row.tenant(),
                        setting == null
                                ? "no active pack declares it"
                                : "it does not hold what the packs take for a "
                                        + setting.type().word());
            }
        });
        return new TenantSettings(Map.copyOf(stored), Map.copyOf(values), Map.copyOf(unused));
    }

    /** One setting, or none, as this snapshot's packs take it. */
    public TenantSettings read(@Nullable StoredSetting only) {
        return only == null ? TenantSettings.NONE : read(tenant(only.tenant()), Map.of(only.name(), only));
    }

    /** What judges by these settings. */
    public PolicySnapshot policies() {
        return policies;
    }

    /** Everything that a tenant may set, by name. */
    public Map<String, Setting> declared() {
        return declared;
    }

    /** The environment, in which packs look for values that no tenant sets. */
    public Map<String, String> env() {
        return env;
    }

    /** What a tenant has set. */
    public TenantSettings tenant(String tenant) {
        return tenants.getOrDefault(tenant, TenantSettings.NONE);
    }
}

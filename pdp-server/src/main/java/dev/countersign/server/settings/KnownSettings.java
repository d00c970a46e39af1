package dev.countersign.server.settings;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.Setting;
import dev.countersign.server.decision.ServerSettings;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a tenant may set: what the active packs declare, and what the server itself does. Immutable.
 *
 * @param declared it, by name in alphabetical order
 * @param env the environment, in which values are looked for that no tenant sets
 */
public record KnownSettings(Map<String, Setting> declared, Map<String, String> env) {
    private static final Logger LOG = LoggerFactory.getLogger(KnownSettings.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The settings of these packs, and the server's own.
     *
     * @param packs what the active packs declare, by name
     * @throws IllegalArgumentException if a pack declares a name that is the server's own
     */
    public static KnownSettings of(Map<String, Setting> packs, Map<String, String> env) {
        var declared = new TreeMap<>(packs);
        for (Declaration own : ServerSettings.ALL) {
            Setting taken = declared.put(own.name(), Setting.of(own));
            if (taken != null) {
                throw new IllegalArgumentException(
                        "the pack `" + taken.declarations().get(0).pack() + "` declares `" + own.name()
                                + "`, which is the server's own setting: rename it");
            }
        }
        return new KnownSettings(Collections.unmodifiableMap(declared), env);
    }

    /**
     * The value that {@code json} holds for a setting.
     *
     * @throws IllegalArgumentException if nothing declares it, or the value does not fit; the message says why
     */
    public Object value(String name, JsonNode json) {
        Setting setting = declared.get(name);
        if (setting == null) {
            throw new IllegalArgumentException("no active pack declares `" + name + "`");
        }
        Object value = setting.read(json);
        ServerSettings.check(name, value);
        return value;
    }

    /**
     * What a tenant has set. A value that no active pack declares, or whose type no longer fits, is left out of the
     * judging and kept; the server's log says so when it is news.
     *
     * @param tenant whose they are
     * @param stored they, by name
     * @param before what was read of that tenant before
     */
    public TenantSettings read(String tenant, Map<String, StoredSetting> stored, TenantSettings before) {
        if (before.stored().equals(stored)) {
            return before;
        }
        var values = new HashMap<String, Object>();
        var unused = new HashMap<String, String>();
        stored.forEach((name, row) -> {
            Setting setting = declared.get(name);
            try {
                values.put(name, value(name, JSON.readTree(row.json())));
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
                        tenant,
                        setting == null
                                ? "no active pack declares it"
                                : "it does not hold what the packs take for a "
                                        + setting.type().word());
            }
        });
        return new TenantSettings(Map.copyOf(stored), Map.copyOf(values), Map.copyOf(unused));
    }
}

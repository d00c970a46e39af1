package dev.countersign.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.Setting;
import dev.countersign.server.settings.KnownSettings;
import dev.countersign.server.settings.StoredSetting;
import dev.countersign.server.settings.TenantSettings;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How one tenant's settings are shown.
 *
 * @param current what packs and the environment say
 * @param own what the tenant says
 */
record SettingView(KnownSettings current, TenantSettings own) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The view of one setting as a change has left it, whatever has changed since. */
    static SettingView after(KnownSettings current, @Nullable StoredSetting now) {
        return new SettingView(
                current,
                now == null
                        ? TenantSettings.NONE
                        : current.read(now.tenant(), Map.of(now.name(), now), TenantSettings.NONE));
    }

    /** The entity tag of a version, 0 for none. */
    static String etag(long version) {
        return "\"" + version + "\"";
    }

    /** Every name that a pack declares or the tenant has set. */
    SortedSet<String> names() {
        var names = new TreeSet<>(current.declared().keySet());
        names.addAll(own.stored().keySet());
        return names;
    }

    /** The version of the tenant's own value, 0 for none. */
    long version(String name) {
        StoredSetting stored = own.stored().get(name);
        return stored == null ? 0 : stored.version();
    }

    ObjectNode of(String name) {
        ObjectNode out = JSON.createObjectNode().put("name", name);
        Setting setting = current.declared().get(name);
        if (setting != null) {
            out.put("type", setting.type().word());
            Declaration first = setting.declarations().get(0);
            if (!first.description().isEmpty()) {
                out.put("description", first.description());
            }
            values(out, first);
            ArrayNode packs = out.putArray("packs");
            setting.declarations().forEach(declaration -> {
                ObjectNode pack = packs.addObject().put("name", declaration.pack());
                if (declaration.env() != null) {
                    pack.put("env", declaration.env());
                }
                values(pack, declaration);
            });
        }
        out.put("version", version(name));
        String unused = own.unused().get(name);
        out.put("in_use", unused == null);
        StoredSetting stored = own.stored().get(name);
        if (stored != null) {
            out.put("updated_at", stored.at().toString()).put("updated_by", stored.by());
            if (unused != null) {
                out.put("problem", unused).set("stored", json(stored));
            }
        }
        return out;
    }

    private void values(ObjectNode out, Declaration declaration) {
        Declaration.InForce inForce = declaration.inForce(current.env(), own.values());
        out.set("default", Setting.json(declaration.byDefault()));
        out.set("value", Setting.json(inForce.value()));
        out.put("source", inForce.source().name().toLowerCase(Locale.ROOT));
    }

    private static JsonNode json(StoredSetting stored) {
        try {
            return JSON.readTree(stored.json());
        } catch (JsonProcessingException e) {
            return TextNode.valueOf(stored.json());
        }
    }
}

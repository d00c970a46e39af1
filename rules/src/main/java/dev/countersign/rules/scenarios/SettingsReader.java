package dev.countersign.rules.scenarios;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Param;
import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the tenant's values of a pack's parameters and lists into the text in which a tenant sets them. */
record SettingsReader(Mistakes mistakes, Vocabulary vocabulary) {
    /** The settings that {@code value} writes, put over {@code under}. */
    Map<String, String> read(@Nullable Yaml value, Map<String, String> under) {
        if (value == null) {
            return under;
        }
        var known = new ArrayList<>(vocabulary.params().keySet());
        known.addAll(vocabulary.lists().keySet());
        var out = new LinkedHashMap<>(under);
        mistakes.object(value, "`settings`", known).forEach((name, setting) -> {
            Param param = vocabulary.params().get(name);
            NamedList list = vocabulary.lists().get(name);
            String text = param != null ? param(param, setting) : list != null ? list(name, setting) : null;
            if (text != null) {
                out.put(name, text);
            }
        });
        return Map.copyOf(out);
    }

    private @Nullable String param(Param param, Yaml setting) {
        JsonNode json = setting.json();
        boolean fits = switch (param.type()) {
            case TEXT, TIME -> json.isTextual();
            case NUMBER -> json.isNumber();
            case BOOL -> json.isBoolean();
            case LIST -> false;
        };
        try {
            if (fits) {
                param.parse(json.asText());
                return json.asText();
            }
        } catch (IllegalArgumentException e) {
            fits = false;
        }
        mistakes.error(
                setting.line(),
                "`" + param.name() + "` needs a " + param.type().word() + ", not "
                        + (json.isTextual() ? "`" + json.textValue() + "`" : json.toString()));
        return null;
    }

    private @Nullable String list(String name, Yaml setting) {
        List<String> entries = mistakes.texts(setting, "`" + name + "`");
        String text = String.join(",", entries);
        if (!NamedList.parse(text).equals(entries)) {
            mistakes.error(setting.line(), "an entry of `" + name + "` may hold no comma, and no blank around it");
            return null;
        }
        return text;
    }
}

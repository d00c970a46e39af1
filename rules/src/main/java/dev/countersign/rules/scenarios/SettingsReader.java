package dev.countersign.rules.scenarios;

import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.facts.Vocabulary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the tenant's values of a pack's parameters and lists, as a tenant would set them. */
record SettingsReader(Mistakes mistakes, Map<String, Setting> known) {
    SettingsReader(Mistakes mistakes, Vocabulary vocabulary) {
        this(mistakes, Setting.of(List.of(vocabulary)));
    }

    /** The settings that {@code value} writes, put over {@code under}. */
    Map<String, Object> read(@Nullable Yaml value, Map<String, Object> under) {
        if (value == null) {
            return under;
        }
        var out = new LinkedHashMap<>(under);
        mistakes.object(value, "`settings`", known.keySet()).forEach((name, written) -> {
            Setting setting = known.get(name);
            try {
                if (setting != null) {
                    out.put(name, setting.read(written.json()));
                }
            } catch (IllegalArgumentException e) {
                mistakes.error(written.line(), String.valueOf(e.getMessage()));
            }
        });
        return Map.copyOf(out);
    }
}

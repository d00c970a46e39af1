package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Code;
import dev.countersign.rules.dialect.Diagnostic;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.facts.Vocabulary;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The mistakes of one scenario file. The readers below say what they want; what is not so is reported here. */
record Mistakes(String file, Diagnostics diagnostics) {
    void error(int line, String message) {
        error(line, message, null);
    }

    void error(int line, String message, @Nullable String hint) {
        diagnostics.add(new Diagnostic(file, line, 1, Code.Y002, message, hint, null));
    }

    /** An error about a name that is not among those known; {@code message} says so, the hint what was meant. */
    void unknown(int line, String message, String name, Collection<String> known) {
        String near = Vocabulary.nearest(name, known);
        String hint = near != null
                ? "did you mean `" + near + "`?"
                : known.isEmpty()
                        ? "there is none"
                        : known.size() > 20 ? null : "known are " + String.join(", ", known);
        error(line, message, hint);
    }

    /** The members of an object whose names are all among {@code known}; others are reported and left out. */
    Map<String, Yaml> object(Yaml value, String what, Collection<String> known) {
        if (!value.json().isObject()) {
            error(value.line(), what + " must be an object");
            return Map.of();
        }
        Map<String, Yaml> members = value.members();
        members.forEach((name, member) -> {
            if (!known.contains(name)) {
                unknown(member.line(), what + " has no key `" + name + "`", name, known);
            }
        });
        members.keySet().retainAll(known);
        return members;
    }

    /** The text that a value is, or {@code null} after an error. */
    @Nullable
    String text(Yaml value, String what) {
        if (!value.json().isTextual() || value.json().textValue().isBlank()) {
            error(value.line(), what + " must be a text");
            return null;
        }
        return value.json().textValue();
    }

    /** The text of a required member, or {@code null} after an error. */
    @Nullable
    String required(Map<String, Yaml> members, String name, int line) {
        Yaml value = members.get(name);
        if (value == null) {
            error(line, "`" + name + ":` is missing");
            return null;
        }
        return text(value, "`" + name + "`");
    }

    /** The texts of a list; what is not a text is reported and left out. */
    List<String> texts(Yaml value, String what) {
        var out = new ArrayList<String>();
        if (!value.json().isArray()) {
            error(value.line(), what + " must be a list of texts");
        }
        for (Yaml element : value.elements()) {
            String text = text(element, "an element of " + what);
            if (text != null) {
                out.add(text);
            }
        }
        return List.copyOf(out);
    }
}

package dev.countersign.rules.dialect;

import dev.countersign.rules.Packs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;

/** The corpus of rules that must be refused; its file says how it is written. */
public final class Attacks {
    private static final Pattern CHARACTER = Pattern.compile("\\{U\\+([0-9A-F]{4,6})}");

    private Attacks() {}

    /** One attack: the code that it must be refused with, its name, and the whole text of the rule file. */
    public record Attack(String code, String name, String text) {
        @Override
        public String toString() {
            return code + " " + name;
        }
    }

    /** Every attack of the corpus. */
    public static List<Attack> all() {
        try (var in = Objects.requireNonNull(Attacks.class.getResourceAsStream("/attacks/attacks.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(Attacks::attack)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Attack attack(String line) {
        String[] parts = line.split(" \\| ?", 4);
        String text = CHARACTER
                .matcher(parts[3].replace("{NL}", "\n"))
                .replaceAll(match -> java.util.regex.Matcher.quoteReplacement(
                        Character.toString(Integer.parseInt(match.group(1), 16))));
        String file = switch (parts[1]) {
            case "cond" -> Packs.rule(text, "decision.deny(\"X\");");
            case "then" -> Packs.rule("vip", text);
            case "rule", "file" -> text;
            default -> throw new IllegalArgumentException(line);
        };
        return new Attack(parts[0], parts[2], parts[1].equals("file") ? file : "package test\n" + file);
    }
}

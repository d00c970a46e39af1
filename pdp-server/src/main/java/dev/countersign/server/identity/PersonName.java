package dev.countersign.server.identity;

import java.text.Normalizer;
import java.util.Locale;

/**
 * The name of a human. Names that people would read as one are one: neither case nor the way in which characters and spaces
 * are encoded makes a second person.
 *
 * @param shown as it is written
 * @param folded what is compared
 */
public record PersonName(String shown, String folded) {
    /**
     * The name that {@code text} writes.
     *
     * @throws IllegalArgumentException if it holds characters that nobody sees; the message says so
     */
    public static PersonName of(String text) {
        boolean unseen = text.codePoints().anyMatch(c -> switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> true;
            default -> false;
        });
        String plain = Normalizer.normalize(text, Normalizer.Form.NFKC).strip().replaceAll("\\s+", " ");
        if (unseen || plain.isEmpty()) {
            throw new IllegalArgumentException("a person's name has visible characters only");
        }
        // Upper case first: some letters have several lower-case forms.
        return new PersonName(plain, plain.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT));
    }
}

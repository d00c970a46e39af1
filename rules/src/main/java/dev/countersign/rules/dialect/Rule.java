package dev.countersign.rules.dialect;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One rule, checked and typed.
 *
 * @param pack the pack that holds it
 * @param name its name, unique in the pack
 * @param file the file it stands in
 * @param line the line it starts on
 * @param meta its annotations by name
 * @param conditions what must hold, all of it, in the order written
 * @param effects what it then says
 */
public record Rule(
        String pack,
        String name,
        String file,
        int line,
        Map<String, String> meta,
        List<Expr> conditions,
        List<Effect> effects) {
    /** The rule's id everywhere outside its pack: {@code pack/name}. */
    public String id() {
        return pack + "/" + name;
    }

    /** Why the rule says what it says, in the author's words, or {@code null}. */
    public @Nullable String reason() {
        return meta.get("reason");
    }

    /**
     * Whether not knowing if the rule applies must deny: it denies, asks for approval, limits or transforms, or obliges
     * without allowing.
     */
    public boolean restricting() {
        boolean allows = effects.stream().anyMatch(Effect.Allow.class::isInstance);
        return effects.stream().anyMatch(effect -> effect.restricting() || effect instanceof Effect.Oblige && !allows);
    }
}

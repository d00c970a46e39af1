package dev.countersign.rules.dialect;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One rule, checked and typed: of a pack's file, or a row of the table of policies.
 *
 * @param pack the pack that holds it, {@link #POLICIES} for a row
 * @param name its name, unique in the pack; a row's id
 * @param file the file it stands in; a row's name
 * @param line the line it starts on; 0 for a row
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
    /** Stands for the pack's name in rows; no pack may have it. */
    public static final String POLICIES = "policies";

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

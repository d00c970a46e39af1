package dev.countersign.server.packs;

import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.Declaration;
import dev.countersign.rules.facts.Setting;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.rows.RowVocabulary;
import dev.countersign.server.settings.KnownSettings;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Packs that judge together, made ready. Immutable.
 *
 * @param packs they, by name
 * @param base their rules
 * @param known what a tenant may set beside them
 * @param vocabulary what rows may name beside them
 * @param entities what they say of users, agents and things
 */
public record PackSet(
        List<Pack> packs, RuleBase base, KnownSettings known, RowVocabulary vocabulary, PackEntities entities) {
    /**
     * The set of these packs.
     *
     * @param env the environment, in which packs look for values
     * @throws IllegalArgumentException if two do not go together, one takes a name that is the server's own, or a variable of
     *     the environment holds nothing that fits; the message says which, and no value
     */
    public static PackSet of(List<Pack> packs, Map<String, String> env) {
        List<Pack> sorted =
                packs.stream().sorted(Comparator.comparing(Pack::name)).toList();
        for (Pack pack : sorted) {
            if (pack.name().equals(Unusable.NAME) && !pack.equals(Unusable.PACK)) {
                throw new IllegalArgumentException(
                        "the pack name `" + pack.name() + "` is the server's own: rename the pack");
            }
        }
        RuleBase base = RuleBase.of(sorted);
        base.settings().values().forEach(setting -> fits(setting, env));
        var before = new ArrayList<Pack>();
        for (Pack pack : sorted) {
            for (Pack other : before) {
                List<String> conflicts = pack.entities().conflicts(other.entities());
                if (!conflicts.isEmpty()) {
                    throw new IllegalArgumentException(conflicts.get(0));
                }
            }
            before.add(pack);
        }
        return new PackSet(
                sorted,
                base,
                KnownSettings.of(base.settings(), env),
                RowVocabulary.of(sorted, Map.of()),
                PackEntities.union(sorted.stream().map(Pack::entities).toList()));
    }

    /** Whoever sets nothing is judged by the environment: what does not fit there would leave them without a judge. */
    private static void fits(Setting setting, Map<String, String> env) {
        for (Declaration declaration : setting.declarations()) {
            String text = declaration.env() == null ? null : env.get(declaration.env());
            try {
                if (text != null) {
                    declaration.parse(text);
                }
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("`" + declaration.name() + "` of pack `" + declaration.pack()
                        + "` needs a " + declaration.type().word() + ", and the environment variable "
                        + declaration.env() + " holds none");
            }
        }
    }
}

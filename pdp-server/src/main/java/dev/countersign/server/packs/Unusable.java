package dev.countersign.server.packs;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.util.Map;
import java.util.Objects;

/** What stands in for published packs that cannot be used: it denies everything, since one of them might have. */
public final class Unusable {
    /** The name of the pack, which no other may have. */
    public static final String NAME = "unusable-packs";

    /** The pack. */
    public static final Pack PACK = Objects.requireNonNull(new PackReader(new Diagnostics())
            .read(
                    "",
                    Map.of(
                            PackReader.MANIFEST,
                            "name: " + NAME + "\nversion: 1.0.0\n"
                                    + "description: Stands in for published packs that cannot be used.\n",
                            "unusable.drl",
                            """
                            package unusable_packs

                            rule "a published pack cannot be used"
                            when
                              Request( )
                            then
                              decision.deny("PACK_UNUSABLE");
                            end
                            """)));

    private Unusable() {}
}

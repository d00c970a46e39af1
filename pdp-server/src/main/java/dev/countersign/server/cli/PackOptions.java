package dev.countersign.server.cli;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads packs for a command and prints what the gate says of them. */
final class PackOptions {
    private PackOptions() {}

    /** The packs, or {@code null} with all mistakes printed. */
    static @Nullable List<Pack> read(List<Path> places, PrintWriter err) {
        var diagnostics = new Diagnostics();
        List<Pack> packs = new PackReader(diagnostics).read(places);
        diagnostics.all().forEach(err::println);
        err.flush();
        return diagnostics.hasErrors() ? null : packs;
    }
}

package dev.countersign.server.cli;

import dev.countersign.rules.pack.Pack;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "check",
        description = "Check rule packs; exit 1 if there is a mistake.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "PATH", description = "A pack, or a folder of packs.")
    private List<Path> places = List.of();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PrintWriter err = Objects.requireNonNull(spec).commandLine().getErr();
        List<Pack> packs = PackOptions.read(places, err);
        if (packs == null) {
            return Exit.USAGE;
        }
        packs.forEach(pack -> out.println(
                pack.name() + " " + pack.version() + ": " + pack.rules().size() + " rules, digest " + pack.digest()));
        out.flush();
        return Exit.OK;
    }
}

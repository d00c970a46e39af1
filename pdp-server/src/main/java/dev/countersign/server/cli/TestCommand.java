package dev.countersign.server.cli;

import dev.countersign.rules.scenarios.PackTest;
import dev.countersign.rules.scenarios.PackTestResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "test",
        description = "Run the scenarios of rule packs and measure what they cover.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Exit codes: 0 passed, 1 usage or mistakes in a pack, 2 a case or an invariant failed, 3 the coverage that pack.yaml"
                    + " asks for was missed."
        })
final class TestCommand implements Callable<Integer> {
    @Parameters(arity = "1..*", paramLabel = "PATH", description = "A pack, or a folder of packs.")
    private List<Path> places = List.of();

    @Option(names = "--format", defaultValue = "text", description = "text, json or junit (default: ${DEFAULT-VALUE}).")
    private PackTestResult.Format format = PackTestResult.Format.TEXT;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        PackTestResult result = PackTest.run(places);
        out.print(result.render(format));
        out.flush();
        return result.exitCode();
    }
}

package dev.countersign.bench;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry point of {@code countersign bench} and {@code countersign soak}. */
@Command(
        name = "countersign",
        mixinStandardHelpOptions = true,
        subcommands = {BenchCommand.class, SoakCommand.class})
public final class Main {
    /** Everything held. */
    static final int OK = 0;
    /** Something that is needed is not there. */
    static final int USAGE = 1;
    /** A bar was missed, or something was lost. */
    static final int MISSED = 2;

    private Main() {}

    /** Runs a command and exits with its code. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    if (failure instanceof Unmet) {
                        command.getErr().println("countersign: " + failure.getMessage());
                    } else {
                        failure.printStackTrace(command.getErr());
                    }
                    return USAGE;
                })
                .execute(args));
    }
}

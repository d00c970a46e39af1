package dev.countersign.server.cli;

import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The entry point of the launcher: one command a word. */
@Command(
        name = "countersign",
        description = "A policy decision point for the tool calls of AI agents and services.",
        mixinStandardHelpOptions = true,
        subcommands = {
            ServeCommand.class,
            CheckCommand.class,
            TestCommand.class,
            EvalCommand.class,
            ExplainCommand.class,
            KeysCommand.class,
            AuditCommand.class
        })
public final class Main {
    private Main() {}

    /** Runs a command and exits with its code. */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs a command. */
    static int run(String... args) {
        return new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    command.getErr().println("countersign: " + message(failure));
                    return Exit.USAGE;
                })
                .setParameterExceptionHandler((failure, given) -> {
                    CommandLine command = failure.getCommandLine();
                    command.getErr().println("countersign: " + failure.getMessage());
                    command.usage(command.getErr());
                    return Exit.USAGE;
                })
                .execute(args);
    }

    private static String message(Throwable failure) {
        if (failure instanceof NoSuchFileException missing) {
            return missing.getFile() + ": there is no such file or folder";
        }
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }
}

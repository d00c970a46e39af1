package dev.countersign.bench;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

@Command(name = "soak", description = "Break a running server and see what it loses.", mixinStandardHelpOptions = true)
final class SoakCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        return new Report(System.out).end();
    }
}

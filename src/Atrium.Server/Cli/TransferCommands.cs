using System.CommandLine;
using Atrium.Core.Imports;
using Atrium.Core.Realms;
using Atrium.Server.Cli.Remote;
using Atrium.Server.Hosting;
using Atrium.Server.Transfer;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>The verbs that bring people and organizations into a realm, and take them out.</summary>
internal static class TransferCommands
{
    private const int BufferSize = 64 * 1024;

    public static IEnumerable<Command> All(Access access, Machine machine)
    {
        yield return access.AboutRealm(Import(machine));
        yield return access.AboutRealm(Export(machine));
    }

    private static Command Import(Machine machine)
    {
        Argument<string> path = new("file") { Description = "Newline-delimited JSON; see docs/import.md." };
        Option<bool> dryRun = new("--dry-run") { Description = "Checks the whole file and changes nothing." };
        Command command = new("import", "Adds the users, organizations, memberships and roles of a file to a realm.") { path, dryRun };
        command.SetAction((parsed, cancellationToken) => machine.WithRealmAsync(
            parsed,
            (backbone, realm) => WithFileAsync(
                () => ImportAsync(backbone, realm, parsed.GetRequiredValue(path), parsed.GetValue(dryRun), cancellationToken)),
            cancellationToken));
        return command;
    }

    private static async Task<int> ImportAsync(Backbone backbone, Realm realm, string path, bool dryRun, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return CommandLine.Fail($"There is no file {path}. An import reads a file twice, so it takes no pipe.");
        await using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (!file.CanSeek)
            return CommandLine.Fail($"{path} is a pipe, and an import reads twice. Write it to a file, and import that.");
        ProgressLine progress = new(Console.Error, inPlace: !Console.IsErrorRedirected, backbone.Clock);
        Importer importer = new(new ImportStore(backbone.Database), backbone.Passwords, backbone.Clock);
        ImportReport check = await importer.CheckAsync(file, realm.Id, progress.Show, cancellationToken);
        progress.End();
        if (check.ProblemCount > 0)
        {
            Tell(check);
            return CommandLine.Fail($"{path} can't be imported: {Count(check.ProblemCount, "problem")}. Nothing was changed; correct the lines and try again.");
        }

        if (dryRun)
        {
            Console.WriteLine($"{Count(check.Lines, "line")} without a problem: {check.Added} would be added to realm {realm.Handle}, {check.Kept} are there already. Nothing was changed.");
            return 0;
        }

        ImportReport done;
        try
        {
            done = await importer.AddAsync(file, realm.Id, progress.Show, cancellationToken);
        }
        catch (DatabaseUnavailableException e)
        {
            return CommandLine.Fail($"{e.Message} What is in by now stays; run the same import again for the rest.");
        }

        progress.End();
        if (done.ProblemCount > 0)
        {
            Tell(done);
            return CommandLine.Fail(
                $"The realm or the file has changed since it was checked. The first {Count(done.Lines, "line")} are in; correct the line and run the same import again for the rest.");
        }

        Console.WriteLine($"{Count(done.Lines, "line")}: {done.Added} added to realm {realm.Handle}, {done.Kept} were there already.");
        return 0;
    }

    private static Command Export(Machine machine)
    {
        Argument<string> path = new("file")
        {
            Description = "Where to write; only you can read it. \"-\", the default, is the standard output.", DefaultValueFactory = static _ => "-",
        };
        Command command = new("export", "Writes a realm's users with their password hashes, organizations, memberships and roles as an import reads them.")
        {
            path,
        };
        command.SetAction((parsed, cancellationToken) => machine.WithRealmAsync(
            parsed,
            (backbone, realm) => WithFileAsync(() => ExportAsync(backbone, realm, parsed.GetRequiredValue(path), cancellationToken)),
            cancellationToken));
        return command;
    }

    private static async Task<int> ExportAsync(Backbone backbone, Realm realm, string path, CancellationToken cancellationToken)
    {
        if (path == "-")
        {
            await using BufferedStream output = new(Console.OpenStandardOutput(), BufferSize);
            await WriteAsync(backbone, realm, output, progress: null, cancellationToken);
            return 0;
        }

        if (File.Exists(path))
            return CommandLine.Fail($"There is a file {path} already. Name another, or remove it.");

        // Under another name until it is whole: nobody takes half of it for an export.
        string unfinished = path + ".part";
        File.Delete(unfinished);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = BufferSize };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        long lines;
        await using (FileStream file = new(unfinished, options))
        {
            lines = await WriteAsync(backbone, realm, file, new ProgressLine(Console.Error, inPlace: !Console.IsErrorRedirected, backbone.Clock), cancellationToken);
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path);
        Console.Error.WriteLine($"{Count(lines, "line")} of realm {realm.Handle} in {path}. It has the password hashes in it: keep it as safe as the database.");
        return 0;
    }

    private static async Task<long> WriteAsync(Backbone backbone, Realm realm, Stream file, ProgressLine? progress, CancellationToken cancellationToken)
    {
        await using Exporter exporter = new(file, lines => progress?.Show(new TransferProgress("Exported", lines, Part: null)));
        await new ExportStore(backbone.Database).ReadAsync(realm.Id, exporter, cancellationToken);
        progress?.End();
        return exporter.Lines;
    }

    private static async Task<int> WithFileAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return CommandLine.Fail(e.Message);
        }
    }

    private static void Tell(ImportReport report)
    {
        foreach (ImportProblem problem in report.Problems)
            Console.Error.WriteLine($"line {problem.Line}{(problem.Field.Length == 0 ? "" : $", {problem.Field}")}: {problem.Message}");
        if (report.ProblemCount > report.Problems.Count)
            Console.Error.WriteLine($"... and {report.ProblemCount - report.Problems.Count} more");
    }

    private static string Count(long count, string thing) => count == 1 ? $"1 {thing}" : $"{count} {thing}s";
}

using System.Diagnostics;
using Atrium.Server.Hosting;

namespace Atrium.Tests.Harness;

/// <summary>Runs <c>atrium</c> as a process of its own, as an operator does.</summary>
internal static class Verb
{
    public static async Task<VerbResult> RunAsync(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [typeof(AtriumServer).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new VerbResult(process.ExitCode, await output, await errors);
    }
}

internal sealed record VerbResult(int ExitCode, string Output, string Errors);

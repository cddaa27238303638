namespace Atrium.Server.Cli;

/// <summary>What a verb tells the script that called it.</summary>
public static class ExitCode
{
    public const int Done = 0;

    /// <summary>It could not be done, or not all of it.</summary>
    public const int Failed = 1;

    /// <summary>The command line can't be understood; nothing was tried.</summary>
    public const int Usage = 2;

    /// <summary>What the command line names is not there.</summary>
    public const int NotFound = 3;

    /// <summary>A dry run found something to change.</summary>
    public const int Differs = 4;
}

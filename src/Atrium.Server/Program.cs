using Atrium.Server.Cli;

return await CommandLine.RunAsync(args);

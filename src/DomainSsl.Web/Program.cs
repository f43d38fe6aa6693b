using DomainSsl.Web.Commands;

return await CommandLine.RunAsync(args);

/// <summary>The program; its name lets tests find the entry point.</summary>
public partial class Program;

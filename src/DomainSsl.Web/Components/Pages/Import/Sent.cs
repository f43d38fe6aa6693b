namespace DomainSsl.Web.Components.Pages.Import;

/// <summary>How far the browser is with sending.</summary>
/// <param name="Files">Files in all.</param>
/// <param name="SentFiles">Files that are here.</param>
/// <param name="Bytes">Bytes in all.</param>
/// <param name="SentBytes">Bytes that are here.</param>
public sealed record Sent(int Files, int SentFiles, long Bytes, long SentBytes);

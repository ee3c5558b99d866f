using System.CommandLine;

namespace FaceDistill.Cli.Commands;

/// <summary>A verb of the command line: its options stand in groups in its help, with examples above them.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    private readonly List<(string Name, IReadOnlyList<Option> Options)> _groups = [];
    private readonly List<string> _examples = [];

    /// <summary>The options in the order of the help.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<Option> Options)> Groups => _groups;

    /// <summary>Command lines without the program's name, each as a user would type it.</summary>
    public IReadOnlyList<string> Examples => _examples;

    /// <summary>Adds options under a heading.</summary>
    public Verb Group(string name, params Option[] options)
    {
        _groups.Add((name, options));
        Array.ForEach(options, Add);
        return this;
    }

    /// <summary>Adds an argument.</summary>
    public Verb Takes(Argument argument)
    {
        Add(argument);
        return this;
    }

    /// <summary>Adds a verb of this verb.</summary>
    public Verb With(Command command)
    {
        Add(command);
        return this;
    }

    /// <summary>Adds an example: the verb and what follows it.</summary>
    public Verb Example(string line)
    {
        _examples.Add(line);
        return this;
    }
}
